"""Distillation: a smaller network that learns from a policy what the policy learned.

    python -m train.vla.student --teacher FOLDER --data FOLDER --out FOLDER [--recipe FILE]

FOLDER of the teacher is a policy. The student sees what the policy was trained on; half
of what it is told is what the teacher of the demonstrations would do, half what the
policy says, which is smoother and knows what can be seen. Everything else, the
checkpoints among it, is as in train.vla.train, and the result is a policy that kuai
reads.
"""

from pathlib import Path

import torch
import torch.nn.functional as F

from . import model, train

# Under 60 % of the numbers, and of the time of a step.
SMALL = model.Config(width=160, layers=3, heads=5, hidden=480, stem=(32, 64, 64))

SHARE = 0.5  # of the policy's word, against the demonstrations'


class Student(train.Trainer):
    def configured(self) -> model.Config:
        self.teacher = model.load(self.a.teacher)[0].eval().to(memory_format=torch.channels_last)
        if self.teacher.config.flow:
            raise SystemExit(f"{self.a.teacher}: a flow says something else each time")
        return SMALL

    def losses(self, b: dict) -> dict[str, torch.Tensor]:
        with torch.no_grad():
            told = [x.float() for x in self.teacher(b)]
        return losses(self.policy, b, told)


def losses(policy: model.Policy, b: dict, told: list[torch.Tensor]) -> dict[str, torch.Tensor]:
    """The parts of the loss when a policy says told of the batch."""
    actions, done, where, sure = (x.float() for x in policy(b))
    of_data = model.parts(b, actions, done, where, sure)
    known = b["known"][..., None]
    missed = ((where - told[2]).abs() * known).sum() / (3 * known.sum()).clamp(min=1)
    seen = b["cells"].sum(-1)
    apart = -(told[3].softmax(-1) * sure.log_softmax(-1)).sum(-1)
    of_policy = {
        "action": (actions - told[0]).abs().mean(),
        "done": F.binary_cross_entropy_with_logits(done, told[1].sigmoid()),
        "where": missed,
        "gaze": (apart * seen).sum() / seen.sum().clamp(min=1),
    }
    return {k: SHARE * of_policy[k] + (1 - SHARE) * v for k, v in of_data.items()}


def main() -> None:
    p = train.arguments()
    p.add_argument("--teacher", type=Path, required=True, help="the policy to learn from")
    train.start(p.parse_args(), Student)


if __name__ == "__main__":
    main()
