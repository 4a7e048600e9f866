package cuda

import "unsafe"

// Layouts gives the size of a kernel's parameter as Go has it.
var Layouts = map[string]uintptr{
	"gemm_f32_64":    unsafe.Sizeof(cProduct{}),
	"matvec_q4_1_1":  unsafe.Sizeof(cProduct{}),
	"attention_64":   unsafe.Sizeof(cAttention{}),
	"norm_rows":      unsafe.Sizeof(cNormOf{}),
	"rope_table":     unsafe.Sizeof(cRopeTable{}),
	"rope_turn":      unsafe.Sizeof(cRope{}),
	"softmax_rows":   unsafe.Sizeof(cSoftmax{}),
	"logprob":        unsafe.Sizeof(cLogProb{}),
	"activate_each":  unsafe.Sizeof(cActivate{}),
	"binary_each":    unsafe.Sizeof(cBinary{}),
	"embed_rows":     unsafe.Sizeof(cEmbed{}),
	"gather_rows":    unsafe.Sizeof(cGather{}),
	"copy_rows":      unsafe.Sizeof(cCopy{}),
	"pad_rows":       unsafe.Sizeof(cPad{}),
	"image_windows":  unsafe.Sizeof(cWindows{}),
	"image_max":      unsafe.Sizeof(cMaxPool{}),
	"resize_bytes":   unsafe.Sizeof(cResize{}),
	"resize_windows": unsafe.Sizeof(cResizeWindows{}),
	"log_power":      unsafe.Sizeof(cLogPower{}),
	"sample_rows":    unsafe.Sizeof(cSample{}),
	"lstm_rows":      unsafe.Sizeof(cLSTM{}),
	"mean_rows":      unsafe.Sizeof(cMean{}),
}
