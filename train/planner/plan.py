"""A planner by regression: an option for each open goal, what it needs first."""

from .catalogue import Catalogue, Option, Predicate
from .scene import Scene

MOST_STEPS = 14


class Impossible(Exception):
    """No plan of at most MOST_STEPS steps was found."""


class Planner:
    """Collects the steps that make goals true in a scene of its own. The scene
    says in which order needs are met and where things go that are in the way."""

    def __init__(self, catalogue: Catalogue, scene: Scene, options: list[Option] | None = None):
        self.scene, self.steps = scene.copy(), []
        self.options = options or catalogue.options(scene)

    def do(self, option: Option) -> None:
        """Do an option; what it needs is made true first, the hand last."""
        for _ in range(4):
            needs = [p for p in option.when if not self.scene.holds(p)]
            if not needs:
                break
            needs.sort(key=self.scene.urgency)
            self.achieve(needs[0])
        if any(not self.scene.holds(p) for p in option.when):
            raise Impossible(str(option))
        if len(self.steps) == MOST_STEPS:
            raise Impossible("too long")
        self.scene.apply(option)
        self.steps.append(option)

    def achieve(self, goal: Predicate) -> None:
        """Make goal true, with the first option that promises it."""
        if self.scene.holds(goal):
            return
        match goal.name:
            case "clear":
                for top in self.scene.above(goal.args[0]):
                    self.achieve(self.scene.aside(top))
                return
            case "empty_hand":
                self.achieve(self.scene.aside(self.scene.held()))
                return
            case "reachable":
                for fact in self.scene.way(goal.args[0]):
                    self.achieve(fact)
                return
        self.do(next((o for o in self.options if goal in o.success), None) or self._none(goal))

    @staticmethod
    def _none(goal: Predicate) -> Option:
        raise Impossible(f"no skill promises {goal}")


def check(scene: Scene, steps: list[Option], goals: list[Predicate]) -> bool:
    """Say whether steps can be done from scene and leave every goal true."""
    now, promised = scene.copy(), set()
    for option in steps:
        if not all(now.holds(p) for p in option.when):
            return False
        now.apply(option)
        promised.update(option.success)
    return all(now.holds(g) or (g.name in ("near", "moved") and g in promised) for g in goals)
