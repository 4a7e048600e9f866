// Package vla is the source of the training of the policy that sees, so that kuai
// learn runs where there is no repository: Python does the training, and Source is
// what it runs. Nothing here computes.
package vla
