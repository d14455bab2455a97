from django.urls import path

from parvis.plans.views import counting, plan, protocol, steps

app_name = "plans"
urlpatterns = [
    path("step/<uuid:pk>", steps.step, name="step"),
    path("steps/done", steps.several, name="several"),
    path("of/<uuid:pk>", plan.plan, name="plan"),
    path("of/<uuid:pk>/paper", plan.print_plan, name="paper"),
    path("of/<uuid:pk>/danger/<slug:code>", plan.danger, name="danger"),
    path("rederive", counting.rederive, name="rederive"),
    path("mine/paper", plan.print_own, name="own-paper"),
    path("protocol", protocol.home, name="protocol"),
    path("protocol/new", protocol.step, name="protocol-new"),
    path("protocol/history", protocol.history, name="protocol-history"),
    path("protocol/step/<str:code>", protocol.step, name="protocol-step"),
    path("protocol/file/<int:number>", protocol.file, name="protocol-file"),
]
