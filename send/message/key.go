package message

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
)

// leastRSA is the shortest RSA key that signs: RFC 8301 section 3.2 says
// SHOULD for 2048 bits, and some receivers count less as unsigned.
const leastRSA = 2048

// ParseKey reads a private key in PEM: PKCS#8 for RSA and Ed25519, PKCS#1 for
// RSA. The error never repeats any of the key.
func ParseKey(data []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("DKIM key: there is no PEM block in it; make a new key")
	}
	key, err := parseBlock(block)
	if err != nil {
		return nil, fmt.Errorf("DKIM key: the PEM block %q is not a private key that can be read; make a new key", block.Type)
	}
	switch k := key.(type) {
	case ed25519.PrivateKey:
		return k, nil
	case *rsa.PrivateKey:
		if k.N.BitLen() < leastRSA {
			return nil, fmt.Errorf("DKIM key: RSA with %d bits is too short; make one of %d", k.N.BitLen(), leastRSA)
		}
		return k, nil
	}
	return nil, fmt.Errorf("DKIM key: type %T cannot sign; make one of RSA or Ed25519", key)
}

func parseBlock(block *pem.Block) (any, error) {
	if block.Type == "RSA PRIVATE KEY" {
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	return x509.ParsePKCS8PrivateKey(block.Bytes)
}

// GenerateKeys makes a new pair of keys: RSA-2048, which every receiver
// knows, and Ed25519, which is short and fast.
func GenerateKeys() (rsaKey, edKey crypto.Signer, err error) {
	r, err := rsa.GenerateKey(rand.Reader, leastRSA)
	if err != nil {
		return nil, nil, fmt.Errorf("DKIM key: %w", err)
	}
	_, e, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("DKIM key: %w", err)
	}
	return r, e, nil
}

// FormatKey writes a key as PEM in PKCS#8, which ParseKey reads.
func FormatKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("DKIM key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// TXT returns the DNS record of a key's public half (RFC 6376 section 3.6.1,
// RFC 8463 section 4), "" for a key that cannot sign.
func TXT(key crypto.Signer) string {
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			return ""
		}
		return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
	case ed25519.PublicKey:
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	}
	return ""
}
