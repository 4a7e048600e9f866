"""Writes the parity fixtures of pictures and text: small checkpoints of random weights, and what
transformers makes of them.

    python perception/encoder/testdata/make_parity.py [FAMILY... | minilm FOLDER]

It needs torch, transformers, tokenizers, safetensors and pillow below 13 (13 resizes columns before
rows where the height shrinks much more than the width, which moves some pixels by one). Each
family's folder has the files of the public layout and a parity.json with inputs and outputs, which
are computed in f64, as the truth; "plain" is how far transformers in f32 is from it at most.

resize.json has pictures that Pillow resized; both sides make the inputs by the formula of noise().
"""

import base64
import json
import string
import sys
from pathlib import Path

import numpy as np
import torch
import transformers
from common import (
    CORPUS,
    TEXTS,
    agree,
    dump,
    numbers,
    picture,
    randomise,
    run,
    save,
    unit,
)
from PIL import Image
from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

HERE = Path(__file__).parent


def clip_tokenizer(folder):
    t = Tokenizer(
        models.BPE(
            end_of_word_suffix="</w>", continuing_subword_prefix="", unk_token="<|endoftext|>"
        )
    )
    t.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    t.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=600, end_of_word_suffix="</w>", initial_alphabet=alphabet, show_progress=False
    )
    t.train_from_iterator(CORPUS, trainer)
    # The public files have every byte alone and at the end of a word, then merges, then specials.
    trained = json.loads(t.to_str())["model"]
    letters = sorted(alphabet)
    vocab = {s: i for i, s in enumerate(letters + [s + "</w>" for s in letters])}
    merges = [" ".join(m) if isinstance(m, list) else m for m in trained["merges"]]
    for merge in merges:
        vocab.setdefault(merge.replace(" ", ""), len(vocab))
    for special in ("<|startoftext|>", "<|endoftext|>"):
        vocab[special] = len(vocab)
    dump(folder / "vocab.json", vocab)
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    # The judge is the tokenizer that transformers makes of these two files.
    judge = transformers.CLIPTokenizer(
        vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt")
    )
    return judge, len(vocab)


def features(x):
    """What get_image_features gives: a tensor, or since version 5 an output with one."""
    return x if torch.is_tensor(x) else x.pooler_output


def images(model, preprocess, size):
    cases, plain = [], 0
    for i, (w, h) in enumerate([(40, 56), (size, size), (101, 37), (16, 20)]):
        seen = np.asarray(preprocess(picture(w, h, i + 1)), dtype=np.float64)
        x = (seen / 255 - np.array(preprocess.mean)) / np.array(preprocess.std)
        pixels = torch.from_numpy(x).permute(2, 0, 1)[None]
        exact, f32 = run(
            model, lambda m, t, x=pixels: unit(features(m.get_image_features(pixel_values=x.to(t))))
        )
        plain = max(plain, agree(f"  picture {w}x{h}", exact, f32))
        hidden, f32 = run(
            model, lambda m, t, x=pixels: m.vision_model(pixel_values=x.to(t)).last_hidden_state
        )
        agree("  hidden", hidden, f32)
        cases.append(
            {
                "width": w,
                "height": h,
                "seed": i + 1,
                "embedding": numbers(exact),
                "hidden": numbers(hidden[0, -1]),
            }
        )
    return cases, plain


class Preprocess:
    def __init__(self, size, mean, std, crop):
        self.size, self.mean, self.std, self.crop = size, mean, std, crop

    def __call__(self, image):
        w, h = image.size
        if not self.crop:
            return image.resize((self.size, self.size), Image.BICUBIC)
        short, long = min(w, h), max(w, h)
        other = int(self.size * long / short)
        new = (self.size, other) if w <= h else (other, self.size)
        image = image.resize(new, Image.BICUBIC)
        left, top = (new[0] - self.size) // 2, (new[1] - self.size) // 2
        return image.crop((left, top, left + self.size, top + self.size))


def clip():
    folder = HERE / "clip"
    folder.mkdir(exist_ok=True)
    tokenizer, vocab = clip_tokenizer(folder)
    shape = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4)
    config = transformers.CLIPConfig(
        text_config=shape
        | dict(
            vocab_size=vocab,
            max_position_embeddings=24,
            bos_token_id=vocab - 2,
            eos_token_id=vocab - 1,
            projection_dim=24,
        ),
        vision_config=shape | dict(image_size=32, patch_size=8, projection_dim=24),
        projection_dim=24,
    )
    model = randomise(transformers.CLIPModel(config))
    model.logit_scale.data = torch.tensor(2.5)
    save(model, folder)
    mean, std = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
    dump(
        folder / "preprocessor_config.json",
        {
            "crop_size": 32,
            "do_center_crop": True,
            "do_normalize": True,
            "do_resize": True,
            "image_mean": mean,
            "image_std": std,
            "resample": 3,
            "size": 32,
        },
    )
    pictures, plain = images(model, Preprocess(32, mean, std, True), 32)
    texts, plain_text = [], 0
    for text in TEXTS:
        ids = tokenizer(text, truncation=True, max_length=24)["input_ids"]
        exact, f32 = run(
            model,
            lambda m, t, x=ids: unit(features(m.get_text_features(input_ids=torch.tensor([x])))),
        )
        plain_text = max(plain_text, float((exact - f32.double()).abs().max()))
        texts.append({"text": text, "ids": ids, "embedding": numbers(exact)})
    dump(
        folder / "parity.json",
        {
            "pictures": pictures,
            "texts": texts,
            "plain": plain,
            "plain_text": plain_text,
            "scale": float(np.exp(2.5)),
            "bias": 0,
        },
    )


def siglip():
    folder = HERE / "siglip"
    folder.mkdir(exist_ok=True)
    shape = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4)
    config = transformers.SiglipConfig(
        text_config=shape | dict(vocab_size=120, max_position_embeddings=16, projection_size=32),
        vision_config=shape | dict(image_size=32, patch_size=8),
    )
    model = randomise(transformers.SiglipModel(config))
    model.logit_scale.data, model.logit_bias.data = torch.tensor([2.0]), torch.tensor([-3.0])
    save(model, folder)
    half = [0.5, 0.5, 0.5]
    dump(
        folder / "preprocessor_config.json",
        {
            "do_normalize": True,
            "do_rescale": True,
            "do_resize": True,
            "image_mean": half,
            "image_std": half,
            "resample": 3,
            "rescale_factor": 1 / 255,
            "size": {"height": 32, "width": 32},
        },
    )
    pictures, plain = images(model, Preprocess(32, half, half, False), 32)
    tokenizer = siglip_tokenizer(folder)
    texts, plain_text = [], 0
    for text in TEXTS:
        ids = tokenizer.encode(text).ids[:16]
        if len(ids) == 16:
            ids[15] = 1  # truncation keeps the end token
        ids = ids + [1] * (16 - len(ids))
        exact, f32 = run(
            model,
            lambda m, t, x=ids: unit(features(m.get_text_features(input_ids=torch.tensor([x])))),
        )
        plain_text = max(plain_text, float((exact - f32.double()).abs().max()))
        texts.append({"text": text, "ids": ids, "embedding": numbers(exact)})
    dump(
        folder / "parity.json",
        {
            "pictures": pictures,
            "texts": texts,
            "plain": plain,
            "plain_text": plain_text,
            "scale": float(np.exp(2.0)),
            "bias": -3,
        },
    )


def siglip_tokenizer(folder):
    """A Unigram tokenizer with the normalizer of SigLIP: lower case, no punctuation."""
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence(
        [
            normalizers.Lowercase(),
            normalizers.Replace(
                Regex("[" + "".join("\\" + c for c in string.punctuation) + "]"), ""
            ),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
        ]
    )
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=118,
        special_tokens=["<pad>", "</s>", "<unk>"],
        unk_token="<unk>",
        show_progress=False,
    )
    t.train_from_iterator(CORPUS, trainer)
    t.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    dump(folder / "tokenizer.json", json.loads(t.to_str()))
    return t


def minilm():
    """The real sentence encoder: its folder is the argument after the family's name."""
    path = sys.argv[sys.argv.index("minilm") + 1]
    model = transformers.BertModel.from_pretrained(path)
    tokenizer = transformers.BertTokenizerFast(vocab=path + "/vocab.txt")
    texts, plain = [], 0
    for text in [
        *TEXTS,
        "Put the red block in the blue bowl.",
        "stop",
        "x" * 120 + " y",
        "control\u200b\u0007char 한국어 ﬁ",
    ]:
        ids = tokenizer(text, truncation=True, max_length=512)["input_ids"]
        exact, f32 = run(
            model,
            lambda m, t, x=ids: unit(m(input_ids=torch.tensor([x])).last_hidden_state.mean(1)),
        )
        plain = max(plain, float((exact - f32.double()).abs().max()))
        texts.append({"text": text, "ids": ids, "embedding": numbers(exact)})
    print("minilm", plain)
    dump(HERE / "minilm.json", {"texts": texts, "plain_text": plain})


def bert():
    folder = HERE / "bert"
    folder.mkdir(exist_ok=True)
    vocab = (
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
        + [chr(c) for c in range(97, 123)]
        + ["##" + chr(c) for c in range(97, 123)]
    )
    vocab += ["the", "red", "block", "blue", "bowl", ".", "'", "你", "cafe", "##ing", "12"]
    (folder / "vocab.txt").write_text("\n".join(vocab) + "\n")
    config = transformers.BertConfig(
        vocab_size=len(vocab),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=24,
    )
    model = randomise(transformers.BertModel(config, add_pooling_layer=False))
    save(model, folder)
    tokenizer = transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt"))
    texts, plain = [], 0
    for text in TEXTS:
        ids = tokenizer(text, truncation=True, max_length=24)["input_ids"]
        exact, f32 = run(
            model,
            lambda m, t, x=ids: unit(m(input_ids=torch.tensor([x])).last_hidden_state.mean(1)),
        )
        plain = max(plain, float((exact - f32.double()).abs().max()))
        texts.append({"text": text, "ids": ids, "embedding": numbers(exact)})
    print("bert", plain)
    dump(folder / "parity.json", {"texts": texts, "plain_text": plain})


def resize():
    cases = []
    for i, (w, h, size, kind) in enumerate(
        [
            (640, 480, 32, "clip"),
            (97, 61, 32, "clip"),
            (61, 97, 32, "siglip"),
            (20, 12, 32, "siglip"),
            (1, 1, 32, "clip"),
            (32, 32, 32, "clip"),
            (32, 50, 32, "siglip"),
            (1920, 1080, 40, "clip"),
            (3, 700, 33, "clip"),
            (333, 224, 224, "clip"),
        ]
    ):
        for name, bilinear in (("bicubic", False), ("bilinear", True)):
            if bilinear and size > 40:
                continue
            p = Preprocess(size, None, None, kind == "clip")
            image = picture(w, h, i)
            if bilinear:
                real, Image.BICUBIC = Image.BICUBIC, Image.BILINEAR
                out = p(image)
                Image.BICUBIC = real
            else:
                out = p(image)
            data = np.asarray(out)[:: max(1, size // 40)]  # some rows of a large one
            cases.append(
                {
                    "width": w,
                    "height": h,
                    "seed": i,
                    "size": size,
                    "crop": kind == "clip",
                    "filter": name,
                    "rows": max(1, size // 40),
                    "pixels": base64.b64encode(data.tobytes()).decode(),
                }
            )
    dump(HERE / "resize.json", cases)


if __name__ == "__main__":
    families = {f.__name__: f for f in (resize, clip, siglip, bert)}
    if "minilm" in sys.argv:
        minilm()
    else:
        for name in sys.argv[1:] or families:
            print(name)
            families[name]()
