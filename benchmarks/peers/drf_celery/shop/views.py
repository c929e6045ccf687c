"""POST /orders: save the order, hand it to each service's queue, answer once all is safe."""

from rest_framework.viewsets import ModelViewSet

from shop.models import Order
from shop.serializers import OrderSerializer
from shop.tasks import issue_invoice, reserve


class OrderViewSet(ModelViewSet):
    queryset = Order.objects.all()
    serializer_class = OrderSerializer

    def create(self, request, *args, **kwargs):
        response = super().create(request, *args, **kwargs)
        response.data = {"message": "Order placed successfully.", "order": response.data}
        return response

    def perform_create(self, serializer):
        serializer.save()
        order = serializer.data
        # Each returns after the broker's confirm.
        reserve.delay(order)
        issue_invoice.delay(order)
