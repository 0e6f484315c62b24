// Package rules holds the rules of the house as tests; it has no code of its own.
package rules
