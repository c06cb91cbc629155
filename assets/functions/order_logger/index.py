import logging

logger = logging.getLogger()

def handler(event, context):

    logger.info("===== MESSAGE RECEIVED =====")
    logger.info(f"Message Body: {event}")

    return "OK"
