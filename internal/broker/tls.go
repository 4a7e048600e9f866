package broker

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// ServerTLS reads a listener's certificate and key (PEM). With clientCA, a
// file of authorities, clients may show a certificate of theirs instead of a
// password.
func ServerTLS(certificate, key, clientCA string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("tls: certificate %s with key %s: %w", certificate, key, err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if clientCA != "" {
		if config.ClientCAs, err = pool(clientCA); err != nil {
			return nil, err
		}
		config.ClientAuth = tls.VerifyClientCertIfGiven
	}
	return config, nil
}

// ClientTLS gives the client side: ca, a file of authorities to trust beyond
// the system's, and the client's own certificate and key; each may be empty.
func ClientTLS(ca, certificate, key string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	var err error
	if ca != "" {
		if config.RootCAs, err = pool(ca); err != nil {
			return nil, err
		}
	}
	if certificate != "" {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return nil, fmt.Errorf("tls: certificate %s with key %s: %w", certificate, key, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

func pool(file string) (*x509.CertPool, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("tls: authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("tls: authorities: %s holds no PEM certificate", file)
	}
	return pool, nil
}
