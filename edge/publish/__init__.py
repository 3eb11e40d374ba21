"""What leaves the box: payloads, topics, MQTT, outbox, embedded broker."""
