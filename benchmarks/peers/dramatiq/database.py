"""MongoDB: every write is acknowledged by the majority."""

import os

from pymongo import MongoClient

client = MongoClient(os.environ["MONGODB_URL"], w="majority")
database = client[os.environ["MONGODB_DATABASE"]]

orders = database["orders"]
products = database["products"]
# The order's id is the key of both, so that neither can be there twice.
reservations = database["reservations"]
invoices = database["invoices"]
