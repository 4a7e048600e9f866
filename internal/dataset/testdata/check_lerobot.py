"""Opens a dataset with the lerobot package and prints what is in it as JSON."""

import json
import sys

import numpy
import torch
from lerobot.datasets.lerobot_dataset import LeRobotDataset

root = sys.argv[1]
dataset = LeRobotDataset("kuai/test", root=root)
frames = []
for i in range(len(dataset)):
    frame = dataset[i]
    frames.append(
        {
            "episode": int(frame["episode_index"]),
            "frame": int(frame["frame_index"]),
            "timestamp": float(frame["timestamp"]),
            "task": frame["task"],
            "state": frame["observation.state"].tolist(),
            "action": frame["action"].tolist(),
            "pictures": {
                key: [list(frame[key].shape), float(frame[key].mean())]
                for key in dataset.meta.video_keys
            },
        }
    )
loader = torch.utils.data.DataLoader(dataset, batch_size=4, shuffle=True)
seen = sum(len(batch["index"]) for batch in loader)
one = LeRobotDataset("kuai/test", root=root, episodes=[dataset.num_episodes - 1])
stats = {
    key: {name: numpy.asarray(value).tolist() for name, value in of.items()}
    for key, of in dataset.meta.stats.items()
}
print(
    json.dumps(
        {
            "episodes": dataset.num_episodes,
            "fps": dataset.fps,
            "frames": frames,
            "loaded": seen,
            "last_episode": len(one),
            "stats": stats,
        }
    )
)
