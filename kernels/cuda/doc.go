// Package cuda
package cuda
