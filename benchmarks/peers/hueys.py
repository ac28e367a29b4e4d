"""Huey on SQLite: threads and urllib3; results are kept in the file."""

import time

import urllib3
from huey import SqliteHuey

from benchmarks.peers.entrant import Order, done, ordered, ready

WORKERS = 8
_LOOK_EVERY_S = 0.02


def work(order: Order) -> None:
    huey = SqliteHuey(filename=order.store.removeprefix("sqlite:"), fsync=False, results=True)
    pool = urllib3.PoolManager(maxsize=WORKERS)

    @huey.task()
    def call(url: str) -> str:
        response = pool.request("GET", url)
        assert response.status == 200
        return response.data.decode()

    for url in order.urls:
        call(url)
    ready()
    consumer = huey.create_consumer(workers=WORKERS, worker_type="thread", initial_delay=0.01, periodic=False)
    consumer.start()
    while huey.result_count() < order.slots:
        time.sleep(_LOOK_EVERY_S)
    done()
    consumer.stop(graceful=True)


if __name__ == "__main__":
    work(ordered())
