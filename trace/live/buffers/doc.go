// Package buffers reads what calls of other programs read and write.
package buffers
