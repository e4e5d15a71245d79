"""200 sign-ins at once."""

from dataclasses import dataclass

from tests.bench.sides import build_sign_in
from tests.load.clients import Answers, ask_all
from tests.load.setting import LoadedPlanner

NUMBER = 200
COST = "12"


@dataclass
class SignIns:
    """What became of the sign-ins."""

    answers: Answers

    def __str__(self) -> str:
        refused, accepted = self.answers.with_status("503"), self.answers.with_status("200")
        return (
            f"sign-ins: {len(self.answers.all)} at once: {self.answers.count()}; {len(accepted)} accepted, "
            f"the last after {self.answers.quantile(1, '200'):.2f} s; {len(refused)} refused, "
            f"half of them within {self.answers.quantile(0.5, '503'):.2f} s, the last after "
            f"{self.answers.quantile(1, '503'):.2f} s"
        )


async def measure(planner: LoadedPlanner, number: int = NUMBER) -> SignIns:
    """Sign in so often at once, each on a connection of its own."""
    return SignIns(await ask_all(planner.port, [build_sign_in("reader0")] * number, patience=60))
