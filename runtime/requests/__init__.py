"""How a request over HTTP is read, and how it is refused: one way for all apps. No business."""
