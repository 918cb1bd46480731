"""Migrations made from scratch, without loss of what the models do not show.

The worker makes them (:mod:`migsync.worker.remake`); :mod:`.remake` makes a Reshape of its answer.
"""
