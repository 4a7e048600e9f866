"""Writes gemma3.json: tokens, logits and greedy answers of llama.cpp for the real Gemma 3 270M.

    python fusion/testdata/make_gemma.py PATH/gemma-3-270m-q4_k_m.gguf

It needs what make_parity.py needs. llama.cpp rounds activations to 8 bits, so that answers of
another implementation part where two tokens are nearly as likely: lead is by how much the chosen
one was ahead.
"""

import sys
from pathlib import Path

import numpy as np
from make_parity import PROMPTS, dump, llama_logits, open_llama, rounded

KEPT, GREEDY, ANSWERS = 16, 24, 6


def greedy(llama, ids):
    llama.reset()
    llama.eval(ids)
    answer, lead = [], []
    for n in range(GREEDY):
        row = llama.scores[len(ids) + n - 1]
        first, then = np.argsort(-row)[:2]
        answer.append(int(first))
        lead.append(row[first] - row[then])
        llama.eval(answer[-1:])
    return {"answer": answer, "lead": rounded(lead)}


def main(path):
    llama, cases = open_llama(path, 1024), []
    for i, text in enumerate(PROMPTS):
        ids = llama.tokenize(text.encode(), add_bos=True, special=False)
        logits = llama_logits(llama, ids)
        top = [int(t) for t in np.argsort(-logits)[:KEPT]]
        case = {"text": text, "ids": ids, "tokens": top, "llama": rounded(logits[top])}
        cases.append(case | (greedy(llama, ids) if i < ANSWERS else {}))
    dump(Path(__file__).parent / "gemma3.json", {"cases": cases})


if __name__ == "__main__":
    main(sys.argv[1])
