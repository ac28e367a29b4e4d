"""Celery on Redis: four processes with 25 messages each at hand, and requests; results are kept in Redis.

Its workers start on a queue that stays empty; at the start they are told of the one with the jobs.
"""

import os
import subprocess
import sys
import time
from functools import cache

import redis
import requests
from celery import Celery

from benchmarks.peers.entrant import Order, done, ordered, ready

PROCESSES = 4
_STORE = "CELERY_STORE"
_LOOK_EVERY_S = 0.02
_WORKER = (
    "-m", "celery", "-A", "benchmarks.peers.celeries", "worker", "--pool", "prefork", "--concurrency", str(PROCESSES),
    "--prefetch-multiplier", "25", "-O", "fair", "--queues", "empty", "--without-gossip", "--without-mingle",
    "--without-heartbeat", "--loglevel", "ERROR",
)  # fmt: skip


def results_of(store: str) -> str:
    """Another database of the same server."""
    return store.removesuffix("/0") + "/1"


app = Celery("peers", broker=os.environ.get(_STORE), backend=results_of(os.environ.get(_STORE, "")))
app.conf.task_default_queue = "jobs"
app.conf.worker_hijack_root_logger = False


@cache
def client() -> requests.Session:
    """One of each process."""
    return requests.Session()


@app.task(name="call")
def call(url: str) -> str:
    response = client().get(url)
    response.raise_for_status()
    return response.text


def work(order: Order) -> None:
    results = redis.Redis.from_url(results_of(order.store))
    for url in order.urls:
        call.delay(url)
    worker = subprocess.Popen([sys.executable, *_WORKER], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while not app.control.ping(timeout=0.5):
        assert worker.poll() is None
    time.sleep(1)
    results.flushdb()
    ready()
    app.control.add_consumer("jobs")
    while results.dbsize() < order.slots:
        time.sleep(_LOOK_EVERY_S)
    done()
    worker.terminate()
    worker.wait()


if __name__ == "__main__":
    if _STORE not in os.environ:
        os.environ[_STORE] = ordered().store
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.peers.celeries", *sys.argv[1:]])
    work(ordered())
