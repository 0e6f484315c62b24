//go:build !unix

package verify_test

import "time"

// benchCPU is not measured here.
func benchCPU() time.Duration { return 0 }
