from rest_framework.routers import SimpleRouter

from shop.views import OrderViewSet

router = SimpleRouter(trailing_slash=False)
router.register("orders", OrderViewSet)
urlpatterns = router.urls
