"""Drills: break something real while orders flow, and then check every order.

Each starts from the outside: a MongoDB replica set of three members, a RabbitMQ cluster of three
nodes, and the pipeline's own processes. What is checked afterwards is what anyone can see from
outside.
"""
