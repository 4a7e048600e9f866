package memory

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/crypto/nacl/secretbox"
)

const (
	keyBytes   = 32
	nonceBytes = 24
)

// loadKey reads the key, or makes one.
func (s *Store) loadKey() error {
	path := s.config.Key
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return s.makeKey()
	}
	if err != nil {
		return fmt.Errorf("memory key: %w", err)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("memory key: %w", err)
	case len(data) != keyBytes:
		return fmt.Errorf("memory key %s: %d bytes, want %d (is it the right file?)", path, len(data), keyBytes)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("memory key %s: mode %o lets others read it (run: chmod 600 %s)", path, info.Mode().Perm(), path)
	}
	copy(s.key[:], data)
	return nil
}

func (s *Store) makeKey() error {
	if _, err := os.Stat(s.config.File); err == nil {
		return fmt.Errorf("memory %s: its key %s is gone (bring it back, or remove the memory)", s.config.File, s.config.Key)
	}
	if _, err := rand.Read(s.key[:]); err != nil {
		return fmt.Errorf("memory key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(s.config.Key), 0o700); err != nil {
		return fmt.Errorf("memory key: %w", err)
	}
	if err := os.WriteFile(s.config.Key, s.key[:], 0o600); err != nil {
		return fmt.Errorf("memory key: %w", err)
	}
	return nil
}

// seal gives a nonce and what it seals.
func seal(plain []byte, key *[keyBytes]byte) ([]byte, error) {
	var nonce [nonceBytes]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return nil, err
	}
	return secretbox.Seal(nonce[:], plain, &nonce, key), nil
}

func unseal(sealed []byte, key *[keyBytes]byte) ([]byte, bool) {
	if len(sealed) < nonceBytes+secretbox.Overhead {
		return nil, false
	}
	var nonce [nonceBytes]byte
	copy(nonce[:], sealed)
	return secretbox.Open(nil, sealed[nonceBytes:], &nonce, key)
}
