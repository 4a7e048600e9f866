package vision

import "testing"

// Whatever config.json and preprocessor_config.json say, the tower that comes
// out of them is within bounds and its preprocessing gives what it sees.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"model_type":"clip","projection_dim":24,"vision_config":{"hidden_size":32,"num_attention_heads":4,"image_size":32,"patch_size":8}}`),
		[]byte(`{"size":{"shortest_edge":32},"crop_size":{"height":32,"width":32},"resample":3}`), uint16(48), uint16(40))
	f.Add([]byte(`{"model_type":"siglip","vision_config":{"image_size":224,"patch_size":16}}`), []byte(`{"size":{"height":224,"width":224},"resample":2}`), uint16(1), uint16(1))
	f.Add([]byte(`{"model_type":"clip_vision_model","image_size":-1}`), []byte(`{"image_std":[0,0,0]}`), uint16(20000), uint16(1))
	f.Fuzz(func(t *testing.T, config, prepare []byte, width, height uint16) {
		c, err := parseConfig(config)
		if err != nil {
			return
		}
		if c.Size < 1 || c.Size > maxSize || c.Patch < 1 || c.Patches() < 1 || c.Width%c.Heads != 0 || c.Embedding < 0 {
			t.Fatalf("%+v", c)
		}
		p, err := parsePreprocess(prepare, c.Family, c.Size)
		if err != nil || width == 0 || height == 0 {
			return
		}
		w, h, seen := p.resized(int(width), int(height))
		if seen.width != c.Size || seen.height != c.Size || seen.x < 0 || seen.y < 0 || seen.x+seen.width > w || seen.y+seen.height > h {
			t.Fatalf("%d×%d becomes %d×%d, of which %+v is seen by a tower of %d (%+v)", width, height, w, h, seen, c.Size, p)
		}
	})
}
