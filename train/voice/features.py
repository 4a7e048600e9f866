"""The log-mel spectrogram of perception/keyword, the same numbers as in Go.

Row r is about samples 160r to 160r+400 at 16 kHz: Hann's window, the power of
its transform, BANDS triangles of Slaney's mel scale, and log10 above a floor.
"""

import functools

import numpy as np
from scipy import fft

RATE, HOP, WINDOW, BANDS = 16000, 160, 400, 64
TOP_MEL = 15 + 27 / np.log(6.4) * np.log(RATE / 2 / 1000)
FLOOR = 1e-7  # of the power in a band: white noise at about -75 dB of full scale


def mel_to_hz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp(np.log(6.4) / 27 * (mel - 15)))


@functools.lru_cache(maxsize=2)
def slaney(bands: int) -> np.ndarray:
    """Triangles of equal area, [bands, WINDOW/2+1]."""
    edges = mel_to_hz(np.linspace(0, TOP_MEL, bands + 2))
    hz = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangle = np.minimum((hz - low) / (middle - low), (high - hz) / (high - middle)).clip(0)
    return (triangle * 2 / (high - low)).astype(np.float32)


def log_mel(samples: np.ndarray) -> np.ndarray:
    """[rows, BANDS], about 0, for the rows that lie wholly inside samples."""
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
    rows = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float32), WINDOW)[::HOP]
    z = fft.rfft(rows * hann, axis=1)
    power = z.real**2 + z.imag**2
    return ((np.log10(power @ slaney(BANDS).T + FLOOR) + 3) / 2).astype(np.float32)
