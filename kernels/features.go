package kernels

import "golang.org/x/sys/cpu"

// CPUFeatures lists what the processor offers and the cpu backend knows of,
// from basic to best, for people to read.
func CPUFeatures() []string {
	var out []string
	for _, f := range []struct {
		name string
		has  bool
	}{
		{"AVX2", cpu.X86.HasAVX2 && cpu.X86.HasFMA},
		{"AVX-512", cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512DQ},
		{"VNNI", cpu.X86.HasAVX512VNNI},
		{"BF16", cpu.X86.HasAVX512BF16},
		{"AMX-BF16", cpu.X86.HasAMXTile && cpu.X86.HasAMXBF16},
		{"AMX-INT8", cpu.X86.HasAMXTile && cpu.X86.HasAMXInt8},
		{"NEON", cpu.ARM64.HasASIMD},
		{"FP16", cpu.ARM64.HasASIMDHP},
		{"DotProd", cpu.ARM64.HasASIMDDP},
		{"I8MM", cpu.ARM64.HasI8MM},
	} {
		if f.has {
			out = append(out, f.name)
		}
	}
	return out
}
