"""Files to import, and the answer to them, for the API's description."""

NDJSON = """\
{"userId": 101, "items": ["book", {"sku": "pen", "quantity": 2}], "orderRef": "A-17"}
{"userId": 202, "items": ["dragon"]}
"""
CSV = """\
userId,sku,quantity,orderRef
101,book,1,A-17
101,pen,2,A-17
202,dragon,1,
"""
OUTCOMES = """\
{"line":1,"orderId":"674300000000000000000001"}
{"line":2,"errors":[{"field":"items[0]","detail":"'dragon' is not in the catalogue",\
"fix":"Send a SKU of the catalogue, 1 to 64 characters."}]}
{"placed":1,"repeated":0,"refused":1}
"""
