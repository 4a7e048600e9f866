// Package text turns text into token ids and back, exactly as the model's own
// tokenizer does.
//
// In goes a model file's metadata (GGUF) or a tokenizer.json (Hugging Face),
// out comes a Tokenizer. It is byte-level byte-pair encoding (arXiv 1508.07909
// over the byte alphabet of GPT-2) with one of the pre-tokenizers gpt-2, smollm
// and qwen2, or a vocabulary of SentencePiece (arXiv 1808.06226) as Gemma and the
// older Llamas have it: spaces are written ▁, the pair that spells the token of
// the highest score merges first, and a character without a token becomes those
// of its bytes. Every string has an encoding; Decode(Encode(s)) is s, unless a
// byte of s has no token in the vocabulary, or ▁ in s comes back as the space
// that SentencePiece takes it for, or the vocabulary puts a space before a text.
//
// # Special tokens
//
// Encode never makes a special token, whatever the text says: an instruction
// that contains "<|im_end|>" stays words and cannot end its own turn.
// EncodeSpecial is for text that the program itself wrote. A vocabulary of
// SentencePiece has tokens that plain text makes before anything merges, such as
// several spaces or line breaks: those of the kind Defined.
//
// # Chat
//
// A chat template is a program in Jinja. Package text does not run it: it knows
// two forms. That of ChatML, which SmolLM2 and Qwen2.5 use, is
//
//	<|im_start|>ROLE\nCONTENT<|im_end|>\n    for each message
//	<|im_start|>assistant\n                  then, for the answer
//
// preceded by the system message of the template where the first message is
// none. That of Gemma is
//
//	<start_of_turn>ROLE\nCONTENT<end_of_turn>\n    ROLE is user or model
//	<start_of_turn>model\n
//
// where turns alternate, contents are trimmed and a system message stands before
// the first user's, two line breaks between. Another template is an error of Chat
// that says so.
//
// A Tokenizer does not change after it was made and may be used from any
// goroutine.
package text
