import datetime as dt

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "parvis.messaging"
    label = "messaging"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.cases import links, panels, wording
        from parvis.cases.actions import erasing
        from parvis.cases.rules import may_see_files
        from parvis.kit import outbox
        from parvis.kit.jobs import sweeps
        from parvis.kit.navigation import Link, register
        from parvis.messaging import leaving, panel, wordings, words

        wordings.register_all()
        for queue in leaving.queues():
            outbox.add(queue)
        sweeps.add("relay text messages", dt.timedelta(seconds=2), outbox.relayer(leaving.SMS), apart=True)
        erasing.PURGES.append(("texts of messages", leaving.texts_over, leaving.empty_texts))
        wording.MORE.update(words.DEEDS)
        links.register(links.PersonLink(_("Messages"), "messaging:person", "mail"))
        panels.register("side", panels.Panel("messages", "messaging/panel.html", panel.load, order=70))
        register(
            "header",
            Link(_("Messages"), "messaging:list", icon="mail", order=17, shown=lambda r: may_see_files(r.user)),
        )
