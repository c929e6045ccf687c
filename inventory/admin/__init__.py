"""Products, reservations and stock movements in the admin."""

from django.contrib import admin

from inventory.admin.movements import MovementAdmin
from inventory.admin.products import ProductAdmin
from inventory.admin.reservations import ReservationAdmin
from inventory.models import Movement, Product, Reservation

admin.site.register(Product, ProductAdmin)
admin.site.register(Reservation, ReservationAdmin)
admin.site.register(Movement, MovementAdmin)
