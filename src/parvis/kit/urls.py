from django.urls import path

from parvis.kit import views

urlpatterns = [path("", views.gallery, name="kit")]
