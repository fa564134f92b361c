//go:build !bug_logandgoon

package kafka

const bugLogAndGoOn = false
