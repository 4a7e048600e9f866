// Package quantize makes the int8 checkpoint of a model: it runs the model on
// what it will see, settles how its activations are rounded, writes weights of
// one byte, and measures what that cost.
//
//	report, err := quantize.Run(ctx, quantize.Job{
//		Dir: "clip", Out: "clip-int8", Samples: len(frames), Now: clock,
//		Open: func(dir string, o kernels.Options) (quantize.Runner, error) { … },
//	})
//
// Nothing here knows a kind of model. Open compiles the model of a folder with
// the options it is given and Runner computes a sample: any model whose graph
// has matrix products can be quantised, because the products themselves tell a
// kernels.Calibration what they multiply.
//
// Of the samples every fourth is held out. The others are seen by the model in
// f32; their magnitudes give the ranges of activations. The held-out ones decide
// between rounding by those ranges (the largest magnitude, or less of the tail)
// and rounding each row by its own largest, and they give the loss: the cosine
// of each output to that of f32. Where the loss is too large the products that
// lose most stay as they are, one after the other.
//
// Out is a folder like Dir with one model.safetensors in the layout that
// checkpoint.ScaleName describes; everything else is copied. It appears whole or
// not at all. The figures of the Report are those of the written folder, opened
// again. Errors name the sample, the tensor or the file.
package quantize
