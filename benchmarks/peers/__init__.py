"""Peers of plant-aggregate, each a program that reads a vote log and writes labels."""
