package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
)

const (
	connectWithin = 5 * time.Second
	answerWithin  = 5 * time.Second
)

// linkFlags say where the robot is. A flag beats the environment, which beats
// the configuration.
type linkFlags struct {
	broker, robot, user, passwordFile string
	ca                                string
}

// addLinkFlags gives c the flags of a client.
func (a *app) addLinkFlags(c *cobra.Command) *cobra.Command {
	flags := c.Flags()
	flags.StringVar(&a.link.broker, "broker", "", "`URL` of the MQTT broker (also KUAI_BROKER; else from the configuration)")
	flags.StringVar(&a.link.robot, "robot", "", "`NAME` of the robot in the topics (also KUAI_ROBOT; else from the configuration)")
	flags.StringVar(&a.link.user, "user", "", "user `NAME` (also KUAI_USER)")
	flags.StringVar(&a.link.passwordFile, "password-file", "", "`FILE` with the password (or KUAI_PASSWORD holds it)")
	flags.StringVar(&a.link.ca, "ca", "", "PEM `FILE` of authorities that vouch for the broker")
	return c
}

// dial connects to the broker. handle gets the messages of the topics called
// names, from the link's own goroutine.
func (a *app) dial(ctx context.Context, names []string, handle func(broker.Message), down func(error)) (*broker.Link, error) {
	o, err := a.linkOptions()
	if err != nil {
		return nil, err
	}
	o.Role, o.OnDown = "cli", down
	for _, name := range names {
		o.Subscriptions = append(o.Subscriptions, broker.Subscription{Name: name, QoS: 1, Handle: handle})
	}
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	link, err := broker.Dial(ctx, o)
	if err != nil {
		return nil, &exitError{exitUnreachable, err}
	}
	return link, nil
}

func (a *app) linkOptions() (broker.LinkOptions, error) {
	c, err := config.Load(a.configPath)
	if err != nil {
		return broker.LinkOptions{}, &exitError{exitInput, err}
	}
	o := broker.LinkOptions{
		URL:      first(a.link.broker, a.env("KUAI_BROKER"), c.Broker.URL, localURL(&c)),
		Robot:    first(a.link.robot, a.env("KUAI_ROBOT"), c.Robot.Name),
		Username: first(a.link.user, a.env("KUAI_USER")),
		Password: a.env("KUAI_PASSWORD"),
	}
	if err := topics.ValidRobot(o.Robot); err != nil {
		return o, &exitError{exitInput, err}
	}
	if a.link.passwordFile != "" {
		data, err := os.ReadFile(a.link.passwordFile)
		if err != nil {
			return o, exitf(exitInput, "password-file: %w", err)
		}
		o.Password = strings.TrimRight(string(data), "\r\n")
	}
	o.TLS, err = a.clientTLS(&c, o.URL)
	if err != nil {
		return o, &exitError{exitInput, err}
	}
	return o, nil
}

// localURL is where a client on this machine reaches the broker inside kuai.
func localURL(c *config.Config) string {
	scheme := "tcp"
	if c.TLS.Certificate != "" {
		scheme = "ssl"
	}
	return scheme + "://" + reachable(c.Broker.Listen)
}

// reachable gives the address at which this machine reaches a listener.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// clientTLS trusts the authorities of the flag, of the configuration, or, for
// the broker inside kuai, its own certificate.
func (a *app) clientTLS(c *config.Config, url string) (*tls.Config, error) {
	scheme, _, _ := strings.Cut(url, "://")
	if scheme != "ssl" && scheme != "mqtts" && scheme != "wss" {
		return nil, nil
	}
	return broker.ClientTLS(first(a.link.ca, c.Broker.CA, c.TLS.Certificate), c.Broker.Certificate, c.Broker.Key)
}

// first gives the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// newID gives an identifier that no other client chooses.
func newID() string {
	var b [8]byte
	rand.Read(b[:])
	return "cli-" + hex.EncodeToString(b[:])
}
