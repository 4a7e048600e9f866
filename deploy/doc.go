// Package deploy is what puts kuai on a robot's computer: a service of systemd,
// names for its devices, the configuration it comes up with, and the script
// that makes a Debian package of them for a Jetson. Nothing here is compiled
// into the program; the package holds the tests of those files.
//
//	systemd/  the unit; it runs as the user kuai and may do little else
//	udev/     device names that stay the same, and who may use them
//	etc/      the configuration that is installed: loopback, simulator-free, held
//	debian/   the package's control file and what runs at installation
//	jetson/   the sysroot, the cross build, the package, its tests and its
//	          installation under qemu
package deploy
