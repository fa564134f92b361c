// Package badinput tests what a person sees who gives sqlstream something wrong: the real
// binary is run on bad SQL, bad records, unreachable brokers and damaged checkpoints, and its
// streams and exit code are compared with goldens. The names of the cases begin with their
// number in the catalogue of bad inputs. Nothing imports it.
package badinput
