// Package buffers reads what calls of other programs have in their memory: above all, what they read
// and write.
package buffers
