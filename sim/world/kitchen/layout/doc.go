// Package layout is what the household is made of: the robot on wheels, the
// places of the room with where the robot stands at each, and the things.
//
// It is data alone and needs neither the simulator nor cgo, so that whoever
// plans or drives in the household knows the same numbers as the simulator.
// Units are m, rad, kg; the frame is the floor's, whose origin is the middle of
// the room and where the base's joints are 0; z = 0 is the floor.
//
// Places stand along the four walls and face the middle. Whoever drives straight
// from one station to another meets nothing: the stations are the corners of a
// convex outline that all furniture, an open drawer too, lies outside of.
package layout
