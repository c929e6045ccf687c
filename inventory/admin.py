"""The catalogue, what is promised from it and how it moved, as an operator sees them."""

from django.contrib import admin

from inventory.models import Movement, Product, Reservation
from inventory.movement_admin import MovementAdmin
from inventory.product_admin import ProductAdmin
from inventory.reservation_admin import ReservationAdmin

admin.site.register(Product, ProductAdmin)
admin.site.register(Reservation, ReservationAdmin)
admin.site.register(Movement, MovementAdmin)
