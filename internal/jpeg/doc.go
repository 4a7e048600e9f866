// Package jpeg turns pixels into JPEG files and back with libjpeg-turbo,
// for cameras on either side, recordings, datasets and the page.
//
// Pixels are RGB, row by row, top row first, 3·width·height bytes, as in
// robot.Frame. Files may come from anywhere: one that is damaged, cut off or
// absurdly large is an error, never a patched-up picture. No state outlives a
// call; any goroutine may call.
package jpeg
