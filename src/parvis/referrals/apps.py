import datetime as dt

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReferralsConfig(AppConfig):
    name = "parvis.referrals"
    label = "referrals"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from parvis.cases import links
        from parvis.cases import panels as pages
        from parvis.cases import policies as locks
        from parvis.cases import wording as words
        from parvis.core import referral
        from parvis.kit.jobs import sweeps
        from parvis.kit.navigation import Link, register
        from parvis.kit.policies import provide
        from parvis.ledger.actions import subscribe
        from parvis.referrals import actions, panels, policies, rules, wording

        locks.SPECIAL |= {
            "Referral": policies.referral,
            "ReferralChange": policies.change,
            "ReferralLink": policies.link,
        }
        locks.SOURCES["referral"] = policies.source()
        locks.CHANGES["referrals_referral"] = "INSERT OR DELETE OR UPDATE OF state, classes, consent_id"
        locks.CHANGES["referrals_referrallink"] = "INSERT"
        provide(policies.statements, referral)
        sweeps.add("clocks of referrals", dt.timedelta(minutes=15), actions.run_clocks)
        subscribe("cases.consent.withdrawn", actions.consent_withdrawn)
        links.register(links.PersonLink(_("Services for a need"), "referrals:candidates", "search"))
        words.MORE.update(wording.DEEDS)
        pages.register("side", pages.Panel("referrals", "referrals/_household.html", panels.household, order=20))
        pages.register_own("referrals", "referrals/_own.html", panels.own)
        register(
            "header",
            Link(_("Referrals"), "referrals:inbox", "forward", lambda r: rules.may_see_referrals(r.user), 18),
        )
