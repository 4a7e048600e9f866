"""A table with blocks and bowls: what holds there and how the prompt tells it."""

import random
from dataclasses import dataclass, field, replace

from .catalogue import Option, Predicate

BLOCK, BOWL, TABLE = "block", "bowl", "table"


@dataclass
class Thing:
    """An object. support is table, the name of what it is on or in, or held."""

    name: str
    kind: str
    colour: str
    left: float  # m to the left of the robot's middle, as y in its base frame
    on: str = TABLE
    inside: str = ""
    held: bool = False


@dataclass
class Scene:
    """Objects from left to right."""

    things: list[Thing] = field(default_factory=list)

    def copy(self) -> "Scene":
        return Scene([replace(t) for t in self.things])

    def of(self, kind: str) -> list[Thing]:
        return [t for t in self.things if t.kind == kind]

    def find(self, name: str) -> Thing:
        return next(t for t in self.things if t.name == name)

    def held(self) -> Thing | None:
        return next((t for t in self.things if t.held), None)

    def above(self, name: str) -> list[Thing]:
        """What lies directly on or in the object."""
        return [t for t in self.things if name in (t.on, t.inside)]

    def holds(self, p: Predicate) -> bool:
        """Decide a fact; what a motion leaves behind (near, moved) is not kept."""
        match p.name:
            case "empty_hand":
                return self.held() is None
            case "clear":
                return not self.above(p.args[0])
            case "held":
                return self.find(p.args[0]).held
            case "on":
                return self.find(p.args[0]).on == p.args[1]
            case "in":
                return self.find(p.args[0]).inside == p.args[1]
        return False

    def apply(self, option: Option) -> None:
        """Make what the option promises true."""
        for p in option.success:
            thing = self.find(p.args[0])
            match p.name:
                case "held":
                    thing.on, thing.inside, thing.held = "", "", True
                case "on":
                    thing.on, thing.inside, thing.held = p.args[1], "", False
                case "in":
                    thing.on, thing.inside, thing.held = "", p.args[1], False

    @staticmethod
    def urgency(need: Predicate) -> int:
        """Of what an option needs, the hand comes last."""
        return need.name in ("held", "empty_hand")

    @staticmethod
    def aside(thing: Thing) -> Predicate:
        """Where a thing goes that is in the way."""
        return Predicate("on", (thing.name, TABLE))

    def prompt(self) -> str:
        """The line of the prompt, as policy/saycan writes it."""
        parts = []
        for t in self.things:
            where = ""
            if t.held:
                where = " held"
            elif t.inside:
                where = " in " + t.inside
            elif t.on != TABLE:
                where = " on " + t.on
            parts.append(t.name + where)
        return "Left to right: " + ", ".join(parts)


def sample(rng: random.Random, blocks: list[str], bowls: list[str]) -> Scene:
    """Draw a scene with blocks and bowls of the given colours."""
    things = [Thing(f"{c} {BLOCK}", BLOCK, c, rng.uniform(-0.25, 0.25)) for c in blocks]
    things += [Thing(f"{c} {BOWL}", BOWL, c, rng.uniform(-0.25, 0.25)) for c in bowls]
    scene = Scene(things)
    loose = scene.of(BLOCK)
    rng.shuffle(loose)
    if rng.random() < 0.07:
        held = loose.pop()
        held.on, held.held = "", True
    relations = rng.choices([0, 1, 2, 3], [45, 30, 18, 7])[0]
    for thing in loose[:relations]:
        _rest(rng, scene, thing)
    scene.things.sort(key=lambda t: -t.left)
    return scene


def _rest(rng: random.Random, scene: Scene, thing: Thing) -> None:
    """Put a block that nothing rests on in a bowl or on another block."""
    free = [t for t in scene.of(BLOCK) if t is not thing and not t.held and t.on == TABLE]
    under = scene.of(BOWL) if rng.random() < 0.65 else [t for t in free if not scene.above(t.name)]
    if not under or scene.above(thing.name):
        return
    support = rng.choice(under)
    if support.kind == BOWL:
        thing.on, thing.inside = "", support.name
    else:
        thing.on = support.name
    thing.left = support.left + rng.uniform(-0.01, 0.01)
