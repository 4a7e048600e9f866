// Package drivertest checks that a driver keeps the contract of
// control.Driver, by one table that every driver runs: reads, writes, limits,
// stop, unplug, garbage, a slow device, reconnection. It also has Plant, a
// robot of first-order joints that stands for the machine in tests.
//
// A driver's test builds a Rig, its driver with a device at the other end that
// the table may unplug, garble and slow down, and calls Run. What a driver
// cannot have happen to it (garbage, where there are no bytes) it leaves nil;
// Run lists what was left out.
//
// All time is that of the rig's clock, which moves by Rig.Advance: nothing here
// sleeps. A Rig and a Plant belong to one test; a Plant may be used from
// several goroutines.
package drivertest
