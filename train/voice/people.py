"""What the sound head makes of recordings of people, which it was never trained on and
which hold no command of the catalogue.

    python -m train.voice.people --whisper FILE.bin --text FOLDER --head FOLDER
"""

import argparse
import glob
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from .head import Head, embed
from .sounds import EVENTS, OTHER, options
from .voices import RATE, read_wav
from .whisper import Encoder

RECORDINGS = "/usr/share/pocketsphinx/test/data"
PROMPTS = "/usr/share/asterisk/sounds/en_US_f_Allison/*.wav"


def main() -> None:
    p = argparse.ArgumentParser(description="report the sound head on recordings of people")
    p.add_argument("--whisper", type=Path, required=True)
    p.add_argument("--text", type=Path, required=True)
    p.add_argument("--head", type=Path, required=True)
    p.add_argument("--most", type=int, default=60, help="telephone prompts")
    a = p.parse_args()
    torch.set_num_threads(1)
    texts = [*options(), OTHER, *(EVENTS[k][0] for k in EVENTS)]
    head = Head(512, 384)
    weights = load_file(a.head / "model.safetensors")
    head.load_state_dict({k: v.float() for k, v in weights.items()})
    head.eval()
    read, encoder = embed(a.text, texts), Encoder(a.whisper)
    paths = glob.glob(f"{RECORDINGS}/*.raw") + glob.glob(f"{RECORDINGS}/*/*.wav")
    paths += sorted(glob.glob(PROMPTS))[:: max(1, len(glob.glob(PROMPTS)) // a.most)]
    taken, sound = 0, 0
    for path in paths:
        data = Path(path).read_bytes()
        raw = path.endswith(".raw")
        x = np.frombuffer(data, "<i2").astype(np.float32) / 32768 if raw else read_wav(data)
        x = x[: 10 * RATE]
        with torch.no_grad():
            chances = head(torch.from_numpy(encoder(x))[None], read).softmax(-1)[0].numpy()
        best = int(chances.argmax())
        taken += best < len(options()) and chances[best] > 0.5
        sound += best > len(options()) and chances[best] > 0.5
        print(f"{Path(path).name}: {texts[best]} {chances[best]:.2f}")
    print(f"{len(paths)} recordings: {taken} taken for a command, {sound} for a sound event")


if __name__ == "__main__":
    main()
