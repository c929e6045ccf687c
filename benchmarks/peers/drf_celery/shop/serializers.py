from functools import cache

from rest_framework import serializers

from shop.models import Order, Product


@cache
def catalogue() -> dict[str, int]:
    """The price of each SKU, in cents."""
    return dict(Product.objects.values_list("sku", "cents"))


class ItemSerializer(serializers.Serializer):
    sku = serializers.CharField(max_length=64)
    quantity = serializers.IntegerField(min_value=1, max_value=10_000)

    def validate_sku(self, sku):
        if sku not in catalogue():
            raise serializers.ValidationError(f"{sku} is not in the catalogue.")
        return sku


class OrderSerializer(serializers.ModelSerializer):
    orderId = serializers.CharField(source="pk", read_only=True)  # noqa: N815
    userId = serializers.IntegerField(source="user_id", min_value=1)  # noqa: N815
    items = ItemSerializer(many=True, allow_empty=False)
    totalCents = serializers.IntegerField(source="total_cents", read_only=True)  # noqa: N815
    createdAt = serializers.DateTimeField(source="created_at", read_only=True)  # noqa: N815

    class Meta:
        model = Order
        fields = ["orderId", "userId", "items", "totalCents", "status", "createdAt"]
        read_only_fields = ["status"]

    def create(self, validated_data):
        items = [
            {**item, "unitCents": catalogue()[item["sku"]]} for item in validated_data["items"]
        ]
        total_cents = sum(item["quantity"] * item["unitCents"] for item in items)
        return Order.objects.create(
            user_id=validated_data["user_id"], items=items, total_cents=total_cents
        )
