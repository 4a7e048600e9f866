"""Writes the parity fixtures of the encoders: small checkpoints of random weights, and what
transformers makes of them.

    python perception/encoder/testdata/make_parity.py [FAMILY... | minilm FOLDER]

It needs torch, transformers, tokenizers, safetensors and pillow below 13 (13 resizes columns before
rows where the height shrinks much more than the width, which moves some pixels by one). Each family's folder has the files
of the public layout and a parity.json with inputs and outputs; outputs are computed in f64, as the
truth, and "plain" is how far transformers in f32 is from it at most.

resize.json has pictures that Pillow resized; both sides make the inputs by the formula of noise().
"""

import base64
import json
import sys
from pathlib import Path

import numpy as np
import torch
import transformers
from PIL import Image
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

HERE = Path(__file__).parent
CORPUS = [
    "a red block on the table", "a blue bowl", "the green cup beside the yellow block", "a photo of a cat",
    "put the red block in the blue bowl", "it's 12 o'clock; don't we'll they've I'd", "a robot's gripper holds a sponge!",
    "is that a block? yes, that's one", "pick and place: 3 blocks, 2 bowls", "naïve café über straße",
]
TEXTS = [
    "a red block", "a bowl", "A  Photo of\tthe   CAT!", "it's don't WE'LL they've I'd", "12 blocks, 3.5 bowls",
    "naïve café Straße", "你好 robot", "", "  spaces  ", "emoji 🤖 and <end> inside", "a" * 40,
    "the green cup beside the yellow block on the table in the blue bowl of the robot's gripper, twice and again and again",
]


def noise(width, height, seed):
    """A picture of all frequencies, by whole numbers alone: the top bits of a generator, coarse blocks, a ramp."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")

    def draw(at):
        at = (at * 2654435761 + seed * 40503) & 0xFFFFFFFF
        at ^= at >> 15
        at = (at * 2246822519) & 0xFFFFFFFF
        return at >> 24

    fine, coarse = draw((y * width + x) * 3 + c), draw((y // 16 * 1000 + x // 16) * 3 + c)
    return ((fine + 2 * coarse + (x * 255) // width) // 4).astype(np.uint8)


def picture(width, height, seed):
    return Image.fromarray(noise(width, height, seed))


def dump(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def numbers(x):
    return [float(f"{v:.9g}") for v in np.asarray(x, dtype=np.float64).ravel()]


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


def randomise(model, scale=1.0):
    """Weights with a spread that makes every part matter, exact in f32."""
    random = torch.Generator().manual_seed(7)
    for name, p in model.named_parameters():
        draw = torch.randn(p.shape, generator=random, dtype=torch.float32)
        if p.dim() < 2:
            p.data = draw * 0.1 + (1.0 if "norm" in name and "weight" in name else 0.0)
        else:
            p.data = draw * scale / np.sqrt(p.shape[-1] if p.dim() == 2 else p[0].numel())
    return model.eval()


def save(model, folder):
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    (folder / "generation_config.json").unlink(missing_ok=True)


def clip_tokenizer(folder):
    t = Tokenizer(models.BPE(end_of_word_suffix="</w>", continuing_subword_prefix="", unk_token="<|endoftext|>"))
    t.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    t.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=600, end_of_word_suffix="</w>", initial_alphabet=alphabet, show_progress=False)
    t.train_from_iterator(CORPUS, trainer)
    # The public files have every byte twice, alone and at the end of a word, then merges, then two specials.
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
    judge = transformers.CLIPTokenizer(vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"))
    return judge, len(vocab)


def agree(name, exact, plain):
    error = float((exact - plain.double()).abs().max())
    print(f"{name}: f32 is within {error:.2g} of f64")
    return error


def run(model, call):
    """The same call in f64 and in f32."""
    with torch.no_grad():
        plain = call(model.float(), torch.float32)
        exact = call(model.double(), torch.float64)
    model.float()
    return exact, plain


def features(x):
    """What get_image_features gives: a tensor, or since version 5 an output with one."""
    return x if torch.is_tensor(x) else x.pooler_output


def images(model, preprocess, size):
    cases, plain = [], 0
    for i, (w, h) in enumerate([(40, 56), (size, size), (101, 37), (16, 20)]):
        seen = np.asarray(preprocess(picture(w, h, i + 1)), dtype=np.float64)
        x = (seen / 255 - np.array(preprocess.mean)) / np.array(preprocess.std)
        pixels = torch.from_numpy(x).permute(2, 0, 1)[None]
        exact, f32 = run(model, lambda m, t: unit(features(m.get_image_features(pixel_values=pixels.to(t)))))
        plain = max(plain, agree(f"  picture {w}x{h}", exact, f32))
        hidden, f32 = run(model, lambda m, t: m.vision_model(pixel_values=pixels.to(t)).last_hidden_state)
        agree("  hidden", hidden, f32)
        cases.append({"width": w, "height": h, "seed": i + 1, "embedding": numbers(exact), "hidden": numbers(hidden[0, -1])})
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
        text_config=shape | dict(vocab_size=vocab, max_position_embeddings=24, bos_token_id=vocab - 2, eos_token_id=vocab - 1, projection_dim=24),
        vision_config=shape | dict(image_size=32, patch_size=8, projection_dim=24),
        projection_dim=24,
    )
    model = randomise(transformers.CLIPModel(config))
    model.logit_scale.data = torch.tensor(2.5)
    save(model, folder)
    mean, std = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
    dump(folder / "preprocessor_config.json", {
        "crop_size": 32, "do_center_crop": True, "do_normalize": True, "do_resize": True,
        "image_mean": mean, "image_std": std, "resample": 3, "size": 32,
    })
    pictures, plain = images(model, Preprocess(32, mean, std, True), 32)
    texts, plain_text = [], 0
    for text in TEXTS:
        ids = tokenizer(text, truncation=True, max_length=24)["input_ids"]
        exact, f32 = run(model, lambda m, t: unit(features(m.get_text_features(input_ids=torch.tensor([ids])))))
        plain_text = max(plain_text, float((exact - f32.double()).abs().max()))
        texts.append({"text": text, "ids": ids, "embedding": numbers(exact)})
    dump(folder / "parity.json", {"pictures": pictures, "texts": texts, "plain": plain, "plain_text": plain_text, "scale": float(np.exp(2.5)), "bias": 0})


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
    dump(folder / "preprocessor_config.json", {
        "do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": half, "image_std": half,
        "resample": 3, "rescale_factor": 1 / 255, "size": {"height": 32, "width": 32},
    })
    pictures, plain = images(model, Preprocess(32, half, half, False), 32)
    tokenizer = siglip_tokenizer(folder)
    texts, plain_text = [], 0
    for text in TEXTS:
        ids = tokenizer.encode(text).ids[:16]
        if len(ids) == 16:
            ids[15] = 1  # truncation keeps the end token
        ids = ids + [1] * (16 - len(ids))
        exact, f32 = run(model, lambda m, t: unit(features(m.get_text_features(input_ids=torch.tensor([ids])))))
        plain_text = max(plain_text, float((exact - f32.double()).abs().max()))
        texts.append({"text": text, "ids": ids, "embedding": numbers(exact)})
    dump(folder / "parity.json", {"pictures": pictures, "texts": texts, "plain": plain, "plain_text": plain_text, "scale": float(np.exp(2.0)), "bias": -3})


def siglip_tokenizer(folder):
    """A Unigram tokenizer with the normalizer of SigLIP: lower case, no punctuation, single spaces."""
    import string

    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([
        normalizers.Lowercase(),
        normalizers.Replace(Regex("[" + "".join("\\" + c for c in string.punctuation) + "]"), ""),
        normalizers.Replace(Regex(r"\s+"), " "),
        normalizers.Strip(),
    ])
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=118, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False)
    t.train_from_iterator(CORPUS, trainer)
    from tokenizers.processors import TemplateProcessing

    t.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    dump(folder / "tokenizer.json", json.loads(t.to_str()))
    return t


def minilm():
    """The real sentence encoder: its folder is the argument after the family's name."""
    path = sys.argv[sys.argv.index("minilm") + 1]
    model = transformers.BertModel.from_pretrained(path)
    tokenizer = transformers.BertTokenizerFast(vocab=path + "/vocab.txt")
    texts, plain = [], 0
    for text in TEXTS + ["Put the red block in the blue bowl.", "stop", "x" * 120 + " y", "control\u200b\u0007char 한국어 ﬁ"]:
        ids = tokenizer(text, truncation=True, max_length=512)["input_ids"]
        exact, f32 = run(model, lambda m, t: unit(m(input_ids=torch.tensor([ids])).last_hidden_state.mean(1)))
        plain = max(plain, float((exact - f32.double()).abs().max()))
        texts.append({"text": text, "ids": ids, "embedding": numbers(exact)})
    print("minilm", plain)
    dump(HERE / "minilm.json", {"texts": texts, "plain_text": plain})


def bert():
    folder = HERE / "bert"
    folder.mkdir(exist_ok=True)
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] + [chr(c) for c in range(97, 123)] + ["##" + chr(c) for c in range(97, 123)]
    vocab += ["the", "red", "block", "blue", "bowl", ".", "'", "你", "cafe", "##ing", "12"]
    (folder / "vocab.txt").write_text("\n".join(vocab) + "\n")
    config = transformers.BertConfig(vocab_size=len(vocab), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=24)
    model = randomise(transformers.BertModel(config, add_pooling_layer=False))
    save(model, folder)
    tokenizer = transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt"))
    texts, plain = [], 0
    for text in TEXTS:
        ids = tokenizer(text, truncation=True, max_length=24)["input_ids"]
        exact, f32 = run(model, lambda m, t: unit(m(input_ids=torch.tensor([ids])).last_hidden_state.mean(1)))
        plain = max(plain, float((exact - f32.double()).abs().max()))
        texts.append({"text": text, "ids": ids, "embedding": numbers(exact)})
    print("bert", plain)
    dump(folder / "parity.json", {"texts": texts, "plain_text": plain})


def sound(seconds, seed):
    """A clip that both sides make: a rising tone, a hum, and noise that comes and goes."""
    n = int(seconds * 16000)
    i = np.arange(n)
    at = (i * 2654435761 + seed * 40503) & 0xFFFFFFFF
    at ^= at >> 15
    noise = ((at * 2246822519 & 0xFFFFFFFF) >> 16) / 32768 - 1
    tone = np.sin(2 * np.pi * (200 + 0.05 * i) * i / 16000) * 0.3 + np.sin(2 * np.pi * 50 * i / 16000) * 0.1
    return (tone + noise * np.where(i // 4000 % 2 == 0, 0.05, 0.0005)).astype(np.float32)


def logmel():
    cases = []
    for seconds, chunk, bands, seed in ((2.0, 2, 80, 1), (0.7, 3, 80, 2), (1.0, 1, 128, 3)):
        extractor = transformers.WhisperFeatureExtractor(feature_size=bands, chunk_length=chunk)
        x = extractor(sound(seconds, seed), sampling_rate=16000, return_tensors="np")["input_features"][0].T
        rows = list(range(0, len(x), 17)) + [len(x) - 1]
        cases.append({"seconds": seconds, "frames": len(x), "bands": bands, "seed": seed, "rows": rows,
                      "values": [round(float(v), 5) for v in x[rows].ravel()]})
    dump(HERE.parent.parent / "audio" / "testdata" / "logmel.json", cases)


SPECIAL = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|zh|>", "<|de|>", "<|translate|>", "<|transcribe|>",
           "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]


def whisper():
    folder = HERE / "whisper"
    folder.mkdir(exist_ok=True)
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False))
    t.add_special_tokens(SPECIAL)
    words = t.get_vocab_size() - len(SPECIAL)
    first = {s: words + i for i, s in enumerate(SPECIAL)}
    vocab = words + len(SPECIAL) + 31  # time stamps come last and are no tokens of the tokenizer
    dump(folder / "tokenizer.json", json.loads(t.to_str()))
    suppress = [1, 2, 7, first["<|translate|>"], first["<|transcribe|>"], first["<|startoftranscript|>"], first["<|startoflm|>"],
                first["<|startofprev|>"], first["<|nospeech|>"], first["<|notimestamps|>"], first["<|en|>"], first["<|zh|>"], first["<|de|>"]]
    begin = [220 % words, first["<|endoftext|>"]]
    config = transformers.WhisperConfig(
        vocab_size=vocab, num_mel_bins=80, d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
        decoder_attention_heads=4, encoder_ffn_dim=48, decoder_ffn_dim=48, max_source_positions=60, max_target_positions=40,
        pad_token_id=first["<|endoftext|>"], bos_token_id=first["<|endoftext|>"], eos_token_id=first["<|endoftext|>"],
        decoder_start_token_id=first["<|startoftranscript|>"], suppress_tokens=suppress, begin_suppress_tokens=begin,
    )
    model = randomise(transformers.WhisperForConditionalGeneration(config), 1.5)
    model.tie_weights()
    model.generation_config = transformers.GenerationConfig(suppress_tokens=suppress, begin_suppress_tokens=begin)
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    (folder / "preprocessor_config.json").unlink(missing_ok=True)
    cases, plain = [], 0
    for seconds, frames, seed in ((1.2, 120, 1), (0.5, 61, 2), (0.9, 104, 3)):
        extractor = transformers.WhisperFeatureExtractor(feature_size=80, chunk_length=30)
        extractor.n_samples = frames * 160
        mel = torch.from_numpy(extractor(sound(seconds, seed), sampling_rate=16000, return_tensors="np")["input_features"])
        assert mel.shape[-1] == frames
        case, error = whisper_case(model, mel, first, suppress, begin, words)
        plain = max(plain, error)
        cases.append({"seconds": seconds, "frames": frames, "seed": seed} | case)
    print("whisper logits: f32 is within", plain)
    dump(folder / "parity.json", {"cases": cases, "plain": plain})
    import ctranslate2

    converted = HERE / "whisper-ctranslate2"
    converter = ctranslate2.converters.TransformersConverter(str(folder))
    converter.convert(str(converted), force=True)
    (converted / "vocabulary.json").unlink(missing_ok=True)
    (converted / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())


def encode(model, mel, dtype):
    """The encoder on fewer frames than it was made for, which transformers refuses."""
    e = model.model.encoder
    x = torch.nn.functional.gelu(e.conv1(mel.to(dtype)))
    x = torch.nn.functional.gelu(e.conv2(x)).permute(0, 2, 1)
    x = x + e.embed_positions.weight[: x.shape[1]]
    for layer in e.layers:
        x = layer(x, None)
        x = x[0] if isinstance(x, tuple) else x
    return e.layer_norm(x)


def whisper_case(model, mel, first, suppress, begin, words):
    hidden, plain_hidden = run(model, lambda m, t: encode(m, mel, t))
    agree("  hidden", hidden, plain_hidden)
    prompt = [first[s] for s in ("<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>")]

    def logits(m, t, ids):
        out = m(encoder_outputs=(encode(m, mel, t),), decoder_input_ids=torch.tensor([ids]))
        return out.logits[0]

    exact, plain = run(model, lambda m, t: logits(m, t, prompt))
    error = float((exact - plain.double()).abs().max())
    languages = [first["<|en|>"], first["<|zh|>"], first["<|de|>"]]
    start = exact[0]
    ids, logp = list(prompt), []
    model.double()
    with torch.no_grad():
        while len(ids) < 24:
            row = logits(model, torch.float64, ids)[-1].clone()
            row[suppress] = -np.inf
            row[words + len(SPECIAL):] = -np.inf
            if len(ids) == len(prompt):
                row[begin] = -np.inf
            row = row.log_softmax(-1)
            ids.append(int(row.argmax()))
            logp.append(float(row.max()))
            if ids[-1] == first["<|endoftext|>"]:
                break
    model.float()
    return {
        "hidden": numbers(hidden[0, -1]), "language": int(languages[int(start[languages].argmax())]),
        "nospeech": float(start.softmax(-1)[first["<|nospeech|>"]]), "logits": numbers(exact[-1]), "ids": ids[len(prompt):], "logp": logp,
    }, error


def resize():
    cases = []
    for i, (w, h, size, kind) in enumerate([
        (640, 480, 32, "clip"), (97, 61, 32, "clip"), (61, 97, 32, "siglip"), (20, 12, 32, "siglip"), (1, 1, 32, "clip"),
        (32, 32, 32, "clip"), (32, 50, 32, "siglip"), (1920, 1080, 40, "clip"), (3, 700, 33, "clip"), (333, 224, 224, "clip"),
    ]):
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
            cases.append({"width": w, "height": h, "seed": i, "size": size, "crop": kind == "clip", "filter": name,
                          "rows": max(1, size // 40), "pixels": base64.b64encode(data.tobytes()).decode()})
    dump(HERE / "resize.json", cases)


if __name__ == "__main__":
    families = {f.__name__: f for f in (resize, clip, siglip, bert, logmel, whisper)}
    if "minilm" in sys.argv:
        minilm()
    else:
        for name in sys.argv[1:] or families:
            print(name)
            families[name]()
