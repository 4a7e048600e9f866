// Package text turns text into token ids and back, exactly as the model's own
// tokenizer does.
//
// In goes a model file's metadata (GGUF) or a tokenizer.json (Hugging Face),
// out comes a Tokenizer: byte-level byte-pair encoding (arXiv 1508.07909 over
// the byte alphabet of GPT-2) with one of the pre-tokenizers gpt-2, smollm and
// qwen2. Every string has an encoding; Decode(Encode(s)) is s, unless a byte of
// s has no token in the vocabulary.
//
// # Special tokens
//
// Encode never makes a special token, whatever the text says: an instruction
// that contains "<|im_end|>" stays words and cannot end its own turn.
// EncodeSpecial is for text that the program itself wrote.
//
// # Chat
//
// A chat template is a program in Jinja. Package text does not run it: it knows
// the ChatML form that SmolLM2 and Qwen2.5 use,
//
//	<|im_start|>ROLE\nCONTENT<|im_end|>\n    for each message
//	<|im_start|>assistant\n                  then, for the answer
//
// preceded by the system message of the template where the first message is
// none. Another template is an error of Chat that says so.
//
// A Tokenizer does not change after it was made and may be used from any
// goroutine.
package text
