"""What `cronicorn policy check` found, in lines for people and as an object for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cronicorn.control.policy_lines import cadence_in_words, line_of_test, policy_in_words, rule_lines
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.text import policy_document
from cronicorn.domain.policy.undeclared import undeclared_texts
from cronicorn.domain.trying import Cadence, Tried, tried


@dataclass(frozen=True, slots=True)
class CheckedPolicy:
    """A policy on an endpoint of a cadence, and what became of the tests it holds."""

    policy: Policy
    cadence: Cadence
    results: Sequence[Tried]

    @property
    def held(self) -> bool:
        """Whether every test held."""
        return all(result.held for result in self.results)

    def lines(self) -> Iterator[str]:
        """Each rule in plain English, what no answer will say, and what became of each test."""
        rules, fields = len(self.policy.rules), len(self.policy.fields)
        yield f"Rules: {rules}, fields: {fields}, on an endpoint {cadence_in_words(self.cadence)}"
        for rule in self.policy.rules:
            yield from ("", *rule_lines(self.policy, rule, self.cadence))
        for words in self.policy.unsupported:
            yield from ("", f"no rule says: {words}")
        odd = [f"warning: {each.pointer}: {each.problem}" for each in undeclared_texts(self.policy)]
        yield from ("", *odd) if odd else ()
        yield from ("", *map(line_of_test, range(1, len(self.results) + 1), self.results)) if self.results else ()

    def document(self) -> dict[str, object]:
        """The same for a program, with the policy as it was read."""
        return {
            "held": self.held,
            "policy": policy_document(self.policy),
            "in_words": policy_in_words(self.policy, self.cadence),
            "unsupported": list(self.policy.unsupported),
            "warnings": [
                {"pointer": each.pointer, "detail": each.problem} for each in undeclared_texts(self.policy)
            ],
            "tests": [
                {"held": result.held, "in_words": line_of_test(number, result)}
                for number, result in enumerate(self.results, 1)
            ],
        }  # fmt: skip


def checked(policy: Policy, cadence: Cadence) -> CheckedPolicy:
    """*policy* with its tests run on an endpoint of that *cadence*."""
    return CheckedPolicy(policy, cadence, tried(policy, cadence))
