"""A port of the domain is a `Protocol` in a module called `ports`, so that whoever writes an adapter finds them."""

from collections.abc import Iterable
from pathlib import Path

from tests.architecture.source import PACKAGE, Module, modules_of, write_tree
from tests.architecture.test_size import port_sizes


def strays(modules: Iterable[Module], package: str = "cronicorn.domain") -> list[str]:
    """The protocols that *package* defines beside its modules `ports`."""
    protocols = [name for name in port_sizes(modules) if name.startswith(f"{package}.")]
    return [name for name in protocols if name.split(".")[-2] != "ports"]


def test_all_ports_of_the_domain_are_in_modules_called_so() -> None:
    modules = modules_of(PACKAGE)

    assert strays(modules) == []
    assert "cronicorn.domain.ports.JobStore" in port_sizes(modules)


def test_a_port_somewhere_else_is_noticed(tmp_path: Path) -> None:
    port = "from typing import Protocol\nclass {}(Protocol): ...\n"
    tree = write_tree(
        tmp_path,
        {
            "shop/domain/ports.py": port.format("Till"),
            "shop/domain/credit/ports.py": port.format("Lender"),
            "shop/domain/money.py": port.format("Bank"),
            "shop/cli/view.py": port.format("View"),
        },
    )

    assert strays(modules_of(tree / "shop"), "shop.domain") == ["shop.domain.money.Bank"]
