// Package vision turns pictures into embeddings: the Vision Transformer
// (arXiv 2010.11929) of CLIP (arXiv 2103.00020) and SigLIP (arXiv 2303.15343).
//
// A folder in the layout of Hugging Face goes in (config.json,
// preprocessor_config.json, safetensors), a Model comes out: the weights,
// compiled for a backend. A picture is resized, cropped and normalised as the
// Python libraries do it, to the last bit of Pillow's resize (below version 13; the order of passes that 13
// has for some shapes moves a few pixels by 1/255); the tower gives
// one embedding of unit length for the picture, and one for each patch of it.
//
//	model, err := vision.Open(dir, backend, vision.Options{})
//	session, err := model.NewSession()
//	embedding, err := session.Encode(ctx, &frame) // of robot.Frame, as cameras give it
//
// A Model is safe for use from many goroutines; a Session belongs to one at a
// time. Encode allocates nothing once it has seen the size of the camera's
// pictures. Errors of Open name the tensor or the field; errors of Encode name
// the camera, and the session can be used on.
package vision
